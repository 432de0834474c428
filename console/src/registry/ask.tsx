import { Alert, Button, Group, Modal, Text, Textarea } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { hintOf } from '../api/errors';

interface AskProps {
  opened: boolean;
  title: string;
  children: ReactNode;
  /** Label of the text that is kept with the decision. */
  reason: string;
  action: string;
  color?: string;
  busy: boolean;
  error: Error | null;
  onAnswer: (reason: string) => void;
  onClose: () => void;
}

/** Asks before a champion changes, and for the reason that its history keeps. */
export function Ask({ opened, title, children, reason, action, color, busy, error, onAnswer, onClose }: AskProps) {
  const [text, setText] = useState('');
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered>
      <Text fz="sm" component="div">
        {children}
      </Text>
      <Textarea
        label={reason}
        mt="sm"
        autosize
        minRows={2}
        value={text}
        data-autofocus
        onChange={(event) => {
          setText(event.currentTarget.value);
        }}
      />
      {error && (
        <Alert color="red" mt="sm" role="alert">
          <Text fz="sm">{error.message}</Text>
          {hintOf(error) && <Text fz="sm">{hintOf(error)}</Text>}
        </Alert>
      )}
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        <Button
          color={color}
          loading={busy}
          onClick={() => {
            onAnswer(text);
          }}
        >
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
