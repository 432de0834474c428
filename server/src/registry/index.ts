import { AliasEntity, AliasMoveEntity } from './alias.entity.js';
import { GateEntity } from './gate.entity.js';

export { abandonGate, championOf, decideGate, openGate } from './gate.js';
export { gateOutcome, type GateView } from './outcome.js';
export { RegistryModule } from './registry.module.js';
export { resolveStart, startWarnings } from './start.js';

export { GateEntity };

/** Every table of the registry. */
export const registryEntities = [AliasEntity, AliasMoveEntity, GateEntity];
