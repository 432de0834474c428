import { Button, Group, Modal, Text } from '@mantine/core';
import type { EndpointWithSecret } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { CopyBlock } from '../ui/copy';

/** The only time a secret is to be seen. */
export function SecretShown({ made, onClose }: { made: EndpointWithSecret | undefined; onClose: () => void }) {
  return (
    <Modal opened={made !== undefined} onClose={onClose} title="The signing secret" centered closeOnClickOutside={false}>
      <Text fz="sm" mb="xs">
        Give it to the receiver at {made?.endpoint?.url}, which verifies every request with it. It is shown this once and cannot be read
        again; a lost one is replaced by rotating.
      </Text>
      <CopyBlock value={made?.secret ?? ''} label="Copy the secret" />
      <Group justify="flex-end" mt="md">
        <Button onClick={onClose}>I have kept it</Button>
      </Group>
    </Modal>
  );
}
