// Complaints that may belong with the form as it stands: those on this computer
// with every change, those of other branches when the typing rests. Neither
// keeps the form waiting.
import { onScopeDispose, ref, type Ref } from 'vue'
import { host } from '../host'
import { isEmptyForm } from '@/shared/form'
import { latestWins } from '@/shared/latest'
import type { Form, TwinElsewhereView, TwinView } from '@/shared/types'

/** The hub is asked when nothing was typed for so long. */
const RESTS_MS = 700

export interface Twins {
  here: Ref<TwinView[]>
  elsewhere: Ref<TwinElsewhereView[]>
  ask(form: Form): void
}

export function useTwins(): Twins {
  const here = ref<TwinView[]>([])
  const elsewhere = ref<TwinElsewhereView[]>([])
  let rest: ReturnType<typeof setTimeout> | undefined
  const near = latestWins<Form>(
    async (form) => {
      here.value = isEmptyForm(form) ? [] : await host.twins(form)
    },
    () => {
      here.value = []
    },
  )
  const far = latestWins<Form>(
    async (form) => {
      elsewhere.value = isEmptyForm(form) ? [] : await host.twinsElsewhere(form)
    },
    () => {
      elsewhere.value = []
    },
  )
  onScopeDispose(() => clearTimeout(rest))
  return {
    here,
    elsewhere,
    ask(form) {
      const asked = JSON.parse(JSON.stringify(form)) as Form
      near.push(asked)
      clearTimeout(rest)
      rest = setTimeout(() => far.push(asked), RESTS_MS)
    },
  }
}
