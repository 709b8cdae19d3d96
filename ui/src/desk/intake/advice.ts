// What the rules propose for the form as it stands: asked with every change,
// one question at a time.
import { ref, type Ref } from 'vue'
import { host } from '../host'
import { isEmptyForm } from '@/shared/form'
import { latestWins } from '@/shared/latest'
import type { AdviceView, Form } from '@/shared/types'

export interface Advice {
  advice: Ref<AdviceView | null>
  /** The last question got no answer; what is shown is older than the form. */
  failed: Ref<boolean>
  ask(form: Form): void
  settle(): Promise<void>
}

export function useAdvice(): Advice {
  const advice = ref<AdviceView | null>(null)
  const failed = ref(false)
  const asking = latestWins<Form>(
    async (form) => {
      advice.value = isEmptyForm(form) ? null : await host.advise(form)
      failed.value = false
    },
    () => {
      failed.value = true
    },
  )
  return {
    advice,
    failed,
    ask: (form) => asking.push(JSON.parse(JSON.stringify(form)) as Form),
    settle: () => asking.idle(),
  }
}
