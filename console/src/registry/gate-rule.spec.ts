import { GateConfig } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { gateRule } from './gate-rule.js';

test('says the alias, both limits and the approval', () => {
  const rule = gateRule(GateConfig.fromPartial({ alias: 'weekly', maxDrop: 1, minMeanGain: 0.5, requireApproval: true }));
  expect(rule).toBe(
    'Promotes to weekly when no benchmark is worse by more than 1.0 points beyond chance and the mean gain is at least 0.5, after approval.',
  );
});

test('the alias is champion unless another one is named', () => {
  expect(gateRule(GateConfig.fromPartial({}))).toMatch(/^Promotes to champion when .* at least 0\.0\.$/);
});
