import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ScheduleSpec } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { draftOf, draftSpec, lacking, newDraft } from './draft.js';

const preset = Preset.fromPartial({ name: 'tiny', recipe: { preset: 'tiny', seed: 7 } });
const empty = newDraft(new URLSearchParams({ images: 'pictures' }));
const draft = { ...empty, run: { ...empty.run, name: ' nightly ' } };

test('a stored schedule and its form say the same', () => {
  const spec = ScheduleSpec.fromPartial(draftSpec({ ...draft, onlyNew: true, minimum: '5', jitterMinutes: '1.5' }, preset));
  assert.deepEqual([spec.name, spec.jitterSeconds, spec.catchUpWindowSeconds], ['nightly', 90, 86_400]);
  assert.deepEqual(
    spec.inputs.map(({ role, refresh, onlyNew, minimumItems }) => ({ role, refresh, onlyNew, minimumItems })),
    [{ role: 'images', refresh: true, onlyNew: true, minimumItems: 5 }],
  );
  assert.deepEqual(ScheduleSpec.fromPartial(draftSpec(draftOf(spec), preset)), spec);
});

test('says what the form still lacks', () => {
  assert.equal(lacking(empty, preset), 'Give the schedule a name.');
  assert.equal(lacking({ ...draft, run: { ...draft.run, images: '' } }, preset), 'Choose images or preference pairs.');
  assert.equal(lacking({ ...draft, jitterMinutes: 'some', pauseAfter: '-1' }, preset), 'Not a number: Jitter, Pause after failures.');
  assert.equal(lacking(draft, preset), '');
});
