"""What is known of a run before it is queued: row lengths, what would be left out, memory."""
