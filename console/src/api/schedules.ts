import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  BackfillScheduleResponse,
  DeleteScheduleResponse,
  ListSchedulesResponse,
  ListTicksResponse,
  PreviewScheduleResponse,
  Schedule,
  Tick,
} from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { get, post } from './client';

const POLL_MS = 3000;

/** All schedules, newest first, page after page. */
export function useSchedules() {
  return useInfiniteQuery({
    queryKey: ['schedules'],
    queryFn: ({ pageParam, signal }) => get(ListSchedulesResponse, '/schedules', { page_size: 50, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: POLL_MS,
  });
}

export function useSchedule(scheduleId: string) {
  return useQuery({
    queryKey: ['schedule', scheduleId],
    queryFn: ({ signal }) => get(Schedule, `/schedules/${scheduleId}`, {}, signal),
    refetchInterval: POLL_MS,
  });
}

/** What became of the schedule's times, the latest first. */
export function useTicks(scheduleId: string) {
  return useInfiniteQuery({
    queryKey: ['ticks', scheduleId],
    queryFn: ({ pageParam, signal }) =>
      get(ListTicksResponse, `/schedules/${scheduleId}/ticks`, { page_size: 50, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: POLL_MS,
  });
}

/** The next fires of a stored schedule. They are asked for anew when the next one changes. */
export function useNextFires(schedule: Schedule) {
  return useQuery({
    queryKey: ['fires', schedule.id, schedule.nextAt?.toISOString(), schedule.updatedAt?.toISOString()],
    queryFn: ({ signal }) => get(PreviewScheduleResponse, `/schedules/${schedule.id}/preview`, {}, signal),
    placeholderData: (previous) => previous,
  });
}

/** When an expression would fire, or the server's objection. Nothing is stored. */
export function useFirePreview(cron: string, zone: string) {
  return useQuery({
    queryKey: ['fires', cron, zone],
    queryFn: ({ signal }) => get(PreviewScheduleResponse, '/schedules/preview', { cron, zone }, signal),
    enabled: cron.trim() !== '' && zone !== '',
    retry: false,
    placeholderData: (previous) => previous,
    refetchInterval: 30_000,
  });
}

/** Stores a new schedule, or with an id the settings of that one. */
export function useSaveSchedule(scheduleId: string | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: object) => post(Schedule, scheduleId === undefined ? '/schedules' : `/schedules/${scheduleId}`, request),
    onSuccess: (schedule) => {
      client.setQueryData(['schedule', schedule.id], schedule);
      return client.invalidateQueries({ queryKey: ['schedules'] });
    },
  });
}

/** Pause or resume. */
export function useSetPaused(scheduleId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (paused: boolean) => post(Schedule, `/schedules/${scheduleId}/${paused ? 'pause' : 'resume'}`, {}),
    onSuccess: (schedule) => {
      client.setQueryData(['schedule', scheduleId], schedule);
      return client.invalidateQueries({ queryKey: ['schedules'] });
    },
  });
}

export function useTrigger(scheduleId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (requestId: string) => post(Tick, `/schedules/${scheduleId}/trigger`, { request_id: requestId }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['ticks', scheduleId] }),
  });
}

export interface Interval {
  request_id: string;
  /** ISO 8601. */
  start: string;
  end: string;
}

export function useBackfill(scheduleId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (interval: Interval) => post(BackfillScheduleResponse, `/schedules/${scheduleId}/backfill`, interval),
    onSuccess: () => client.invalidateQueries({ queryKey: ['ticks', scheduleId] }),
  });
}

export function useDeleteSchedule(scheduleId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post(DeleteScheduleResponse, `/schedules/${scheduleId}/delete`, {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ['schedules'] }),
  });
}
