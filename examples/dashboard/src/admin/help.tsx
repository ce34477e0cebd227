import { Dialog } from '../ui/dialog';

const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);
const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['/'], 'Search; on the Logs tab, its query bar'],
  [[MAC ? '⌘' : 'Ctrl', 'K'], 'Go anywhere'],
  [['j'], 'Next row'],
  [['k'], 'Previous row'],
  [['Enter'], 'Open the row'],
  [['Esc'], 'Close what is open, leave a field'],
  [['?'], 'This list'],
];
const GRAMMAR: readonly (readonly [example: string, what: string])[] = [
  ['timeout payment', 'both words, anywhere in the line'],
  ['"card declined"', 'exactly this phrase'],
  ['-healthz', 'without this word'],
  ['level:ERROR', 'a field has this value'],
  ['user_id:u-1 -event_type:db_query', 'conditions combine; a minus excludes'],
  ['extra.duration_ms>1000', 'numbers compare: > >= < <='],
];

export default function Help({ close }: { close: () => void }) {
  return (
    <Dialog label="Help" close={close}>
      <div className="help">
        <h2>Keyboard</h2>
        <dl>
          {KEYS.map(([keys, what]) => (
            <div key={what}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <h2>Searching</h2>
        <dl>
          {GRAMMAR.map(([example, what]) => (
            <div key={example}>
              <dt>
                <code>{example}</code>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <div className="row">
          <span className="grow" />
          <button type="button" className="button" onClick={close}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}
