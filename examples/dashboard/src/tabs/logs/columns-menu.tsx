import { Button } from 'react-aria-components/Button';
import { Menu, MenuItem, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { Icon } from '../../ui/icons';
import { useDefaultColumns } from './filters';
import { columnTitle } from './log-table';

const CHOICES = [
  'timestamp',
  'level',
  'service.name',
  'event_type',
  'message',
  'target',
  'context.request_id',
  'context.trace_id',
  'context.user_id',
  'context.organization_id',
  'context.session_id',
  'context.workflow_id',
  'context.run_id',
  'context.step_id',
  'context.agent',
  'extra.route',
  'extra.status_code',
  'extra.duration_ms',
  'exception.type',
  'file',
];

export function ColumnsMenu({
  columns,
  onChange,
}: {
  columns: readonly string[];
  onChange: (columns: string[] | null) => void;
}) {
  const usual = useDefaultColumns();
  return (
    <MenuTrigger>
      <Button className="button">
        <Icon name="columns" size={14} />
        Columns
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu
          className="menu"
          aria-label="Columns"
          selectionMode="multiple"
          selectedKeys={columns}
          onSelectionChange={(keys) => {
            if (keys === 'all') return;
            const chosen = [...CHOICES, ...columns.filter((c) => !CHOICES.includes(c))].filter((c) => keys.has(c));
            onChange(!chosen.length || chosen.join() === usual.join() ? null : chosen);
          }}
        >
          {[...CHOICES, ...columns.filter((c) => !CHOICES.includes(c))].map((c) => (
            <MenuItem key={c} id={c} className="menu-item" textValue={columnTitle(c)}>
              {({ isSelected }) => (
                <>
                  <span className="check">{isSelected && <Icon name="check" size={14} />}</span>
                  {columnTitle(c)}
                </>
              )}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
