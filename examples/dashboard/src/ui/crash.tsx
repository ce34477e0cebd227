import type { FallbackProps } from '@omnify/trace/react';
import { type ReactNode, useState } from 'react';
import { Icon } from './icons';

/** For an error boundary, which calls its fallback as a plain function: hooks need an element. */
export const crash = (props: FallbackProps): ReactNode => <Crash {...props} />;

/** Shown where a part of the page failed: what to tell support, and ways on. */
function Crash({ error, reference, retry, report }: FallbackProps) {
  const [words, setWords] = useState('');
  const [sent, setSent] = useState(false);
  return (
    <div className="state error" role="alert">
      <Icon name="alert" size={28} />
      <p className="state-title">This part of the page failed</p>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {reference && (
        <p className="small">
          Reference <code>{reference}</code>
        </p>
      )}
      <div className="row wrap">
        <button type="button" className="button primary" onClick={retry}>
          Try again
        </button>
      </div>
      {sent ? (
        <p role="status">Thank you. The report is on its way.</p>
      ) : (
        <form
          className="stack-s"
          onSubmit={(event) => {
            event.preventDefault();
            void report(words).then(() => setSent(true));
          }}
        >
          <div className="field">
            <label htmlFor="crash-words">What did you do just before?</label>
            <textarea id="crash-words" value={words} onChange={(event) => setWords(event.target.value)} />
          </div>
          <button type="submit" className="button">
            Report a problem
          </button>
        </form>
      )}
    </div>
  );
}
