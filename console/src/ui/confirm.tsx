import { Button, Group, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Refusal } from './feedback';

interface ConfirmProps {
  /** What opens the question. */
  opener: (open: () => void) => ReactNode;
  title: string;
  /** What will be gone, what stays, and what to do instead. */
  children: ReactNode;
  leave: string;
  action: string;
  busy: boolean;
  error: Error | null;
  onConfirm: (close: () => void) => void;
}

/** Asks before something that cannot be undone; the way out has the focus. */
export function Confirm({ opener, title, children, leave, action, busy, error, onConfirm }: ConfirmProps) {
  const [asking, { open, close }] = useDisclosure(false);
  return (
    <>
      {opener(open)}
      <Modal opened={asking} onClose={close} title={title} centered>
        <Text fz="sm" mb="sm">
          {children}
        </Text>
        {error && <Refusal error={error} title="This was not done" />}
        <Group justify="flex-end" mt="md" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            {leave}
          </Button>
          <Button
            color="red"
            loading={busy}
            onClick={() => {
              onConfirm(close);
            }}
          >
            {action}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
