import type { FactoryProvider, Type } from '@nestjs/common';
import type { Implementation, Service } from '@stic/api/service.js';
import { ApiRouter } from './router.js';

type Instances<D extends readonly Type[]> = { [K in keyof D]: InstanceType<D[K]> };
type NoOther<S extends Service, I> = Record<Exclude<keyof I, keyof S['methods']>, never>;

/**
 * The provider that serves a service over gRPC and HTTP as its proto declares it. `implement` is given instances of `inject` and
 * returns a function per rpc; a missing or surplus one does not compile.
 */
export const serves = <S extends Service, const D extends readonly Type[], I extends Implementation<S>>(
  service: S,
  inject: D,
  implement: (...dependencies: Instances<D>) => I & NoOther<S, I>,
): FactoryProvider => ({
  provide: service.fullName,
  inject: [ApiRouter, ...inject],
  useFactory: (router: ApiRouter, ...dependencies: Instances<D>) => {
    const implementation = implement(...dependencies);
    router.add(service, implementation);
    return implementation;
  },
});
