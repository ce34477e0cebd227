import type { ReactNode } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';

/** A modal window: focus stays inside, Esc and a click beside it close it. */
export function Dialog({ label, close, children }: { label: string; close: () => void; children: ReactNode }) {
  return (
    <ModalOverlay className="dialog-scrim" isOpen isDismissable onOpenChange={(open) => !open && close()}>
      <Modal className="dialog">
        <AriaDialog aria-label={label}>{children}</AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
