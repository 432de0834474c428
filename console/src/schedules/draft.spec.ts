import { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ScheduleSpec } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { draftOf, draftSpec, lacking, newDraft } from './draft.js';

const preset = Preset.fromPartial({ name: 'tiny', recipe: { preset: 'tiny', seed: 7 } });
const empty = newDraft(new URLSearchParams({ images: 'pictures' }));
const draft = { ...empty, run: { ...empty.run, name: ' nightly ' } };

test('a stored schedule and its form say the same', () => {
  const spec = ScheduleSpec.fromPartial(draftSpec({ ...draft, onlyNew: true, minimum: '5', jitterMinutes: '1.5' }, preset));
  expect([spec.name, spec.jitterSeconds, spec.catchUpWindowSeconds]).toStrictEqual(['nightly', 90, 86_400]);
  expect(spec.inputs.map(({ role, refresh, onlyNew, minimumItems }) => ({ role, refresh, onlyNew, minimumItems }))).toStrictEqual([
    { role: 'images', refresh: true, onlyNew: true, minimumItems: 5 },
  ]);
  expect(ScheduleSpec.fromPartial(draftSpec(draftOf(spec), preset))).toStrictEqual(spec);
});

test('says what the form still lacks', () => {
  expect(lacking(empty, preset)).toBe('Give the schedule a name.');
  expect(lacking({ ...draft, run: { ...draft.run, images: '' } }, preset)).toBe('Choose images or preference pairs.');
  expect(lacking({ ...draft, jitterMinutes: 'some', pauseAfter: '-1' }, preset)).toBe('Not a number: Jitter, Pause after failures.');
  expect(lacking(draft, preset)).toBe('');
});
