import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import {
  DeleteEndpointResponse,
  Delivery,
  DeliveryState,
  Endpoint,
  EndpointWithSecret,
  ListDeliveriesResponse,
  ListEndpointsResponse,
} from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import { get, post, put, remove } from './client';

/** What an endpoint is made of. */
export interface EndpointDraft {
  url: string;
  description: string;
  events: string[];
}

export function useEndpoints() {
  return useInfiniteQuery({
    queryKey: ['endpoints'],
    queryFn: ({ pageParam, signal }) => get(ListEndpointsResponse, '/webhooks/endpoints', { page_size: 50, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: 10_000,
  });
}

export function useDeliveries(endpointId: string, state: DeliveryState) {
  return useInfiniteQuery({
    queryKey: ['deliveries', endpointId, state],
    queryFn: ({ pageParam, signal }) =>
      get(
        ListDeliveriesResponse,
        '/webhooks/deliveries',
        {
          page_size: 50,
          page_token: pageParam,
          endpoint_id: endpointId,
          state: state === DeliveryState.DELIVERY_STATE_UNSPECIFIED ? '' : state,
        },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: 3000,
  });
}

/** A change to endpoints or deliveries, after which both are read again. */
function useChange<Input, Output>(change: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => Promise.all(['endpoints', 'deliveries'].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useCreateEndpoint = () => useChange((draft: EndpointDraft) => post(EndpointWithSecret, '/webhooks/endpoints', draft));

export const useUpdateEndpoint = (id: string) =>
  useChange((draft: EndpointDraft & { enabled: boolean }) => put(Endpoint, `/webhooks/endpoints/${id}`, draft));

export const useDeleteEndpoint = (id: string) => useChange(() => remove(DeleteEndpointResponse, `/webhooks/endpoints/${id}`));

export const useRotateSecret = (id: string) => useChange(() => post(EndpointWithSecret, `/webhooks/endpoints/${id}/rotate`, {}));

export const useTestEndpoint = (id: string) => useChange(() => post(Delivery, `/webhooks/endpoints/${id}/test`, {}));

export const useRedeliver = (id: string) => useChange(() => post(Delivery, `/webhooks/deliveries/${id}/redeliver`, {}));
