// A step while it is being filled in and sent: what was typed is kept until
// the hub has it, and every try of it carries the same key.
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { useAttempt, type Attempt } from './attempt'
import { forget, keep, keepAgain } from './kept'
import { newStepKey } from './stepKey'

export interface StepDraft<T extends object> {
  form: T
  attempt: Attempt
  /** What each field lacks, by its name; empty when nothing does. */
  missing: Ref<Record<string, string>>
  /** True when the hub has it. */
  submit: () => Promise<boolean>
  /** Empties the form, where it stays open after it was sent. */
  startOver: () => void
}

export function useStep<T extends object>(
  place: string,
  fresh: () => T,
  check: (form: T) => Record<string, string>,
  send: (form: T, key: string) => Promise<void>,
): StepDraft<T> {
  const kept = keep(place, () => ({ form: fresh(), key: newStepKey() }))
  const attempt = useAttempt()
  const missing = ref<Record<string, string>>({})
  let untouched = JSON.stringify(fresh())

  // Once something was missing, each field says so until it is filled.
  watch(
    () => kept.form,
    () => {
      if (Object.keys(missing.value).length > 0) missing.value = check(kept.form)
    },
    { deep: true },
  )

  // An untouched form is not worth keeping: its proposed times grow old.
  onScopeDispose(() => {
    if (JSON.stringify(kept.form) === untouched) forget(place)
  })
  return {
    form: kept.form,
    attempt,
    missing,
    async submit() {
      missing.value = check(kept.form)
      if (Object.keys(missing.value).length > 0) return false
      const done = await attempt.run(() => send(kept.form, kept.key))
      if (done) forget(place)
      return done
    },
    startOver() {
      missing.value = {}
      Object.assign(kept.form, fresh())
      kept.key = newStepKey()
      untouched = JSON.stringify(kept.form)
      keepAgain(place, kept)
    },
  }
}
