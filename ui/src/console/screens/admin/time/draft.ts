// The copy of the rules that is edited, a calendar file that is chosen, what
// both change, and what the hub finds wrong with them.
import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'
import { settings } from '@/shared/settings'
import { useWords } from '@/shared/words'
import type { BranchRow, Policy, TimeDraft, TimeProblem, TimeView } from '../../../types'
import { changesOf, type Change } from './changes'
import { faultOf, type Fault } from './fault'
import { copyOf, dateOf, tidied } from './rules'

export interface CalendarText {
  name: string
  text: string
}

export interface Draft {
  policy: Ref<Policy | null>
  file: Ref<CalendarText | null>
  changes: ComputedRef<Change[]>
  dirty: ComputedRef<boolean>
  fault: Ref<Fault | null>
  /** The sentence for the field at fault, by its name. */
  errors: ComputedRef<Record<string, string>>
  discard: () => void
  /** What to send. */
  made: () => TimeDraft
  /** Keeps what is wrong with what was sent, until something is typed. */
  blame: (problem: TimeProblem) => Fault
}

/** The name of a weekday, from Monday, 0. */
export function weekdayName(index: number): string {
  // A Monday.
  const day = dateOf(`2024-01-0${index + 1}`)
  return new Intl.DateTimeFormat(settings.locale, { weekday: 'short' }).format(day)
}

export function useDraft(shown: () => { rules: TimeView; branches: BranchRow[] } | null): Draft {
  const { t } = useWords()
  const policy = ref<Policy | null>(null)
  const file = ref<CalendarText | null>(null)
  const fault = ref<Fault | null>(null)

  const branch = (code: string): string => shown()?.branches.find((one) => one.code === code)?.name ?? code
  const changes = computed(() => {
    const rules = shown()?.rules
    if (rules === undefined || policy.value === null) return []
    return changesOf(tidied(rules.policy), tidied(policy.value), {
      t: (key, params) => t(key, params ?? {}),
      weekday: weekdayName,
      branch,
    })
  })
  const dirty = computed(() => changes.value.length > 0 || file.value !== null)
  const errors = computed<Record<string, string>>(() =>
    fault.value === null ? {} : { [fault.value.field]: t(fault.value.key, fault.value.params) },
  )

  function discard(): void {
    const rules = shown()?.rules
    policy.value = rules === undefined ? null : copyOf(rules.policy)
    file.value = null
  }

  watch(() => shown()?.rules, discard, { immediate: true })
  watch([policy, file], () => (fault.value = null), { deep: true })

  return {
    policy,
    file,
    changes,
    dirty,
    fault,
    errors,
    discard,
    made: () => ({
      revision: shown()?.rules.revision ?? '',
      policy: policy.value !== null && changes.value.length > 0 ? tidied(policy.value) : null,
      calendar: file.value?.text ?? null,
    }),
    blame(problem) {
      fault.value = faultOf(problem, policy.value as Policy)
      return fault.value
    },
  }
}
