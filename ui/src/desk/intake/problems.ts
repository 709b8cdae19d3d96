// Which problems are shown beside the fields, and when: what is missing once
// recording was tried, what is wrong as soon as the field is left.
import { reactive, ref, type Ref } from 'vue'
import type { Field, Problem } from '@/shared/types'

/** Fields that stand in the folded part of the form. */
const FOLDED: readonly Field[] = [
  'email',
  'account',
  'id_number',
  'representative',
  'group',
  'business',
  'cause',
  'occurred_at',
  'place',
  'links',
]

export interface Problems {
  problemOf(field: Field): Problem | undefined
  touch(field: Field): void
  /** Recording was refused for these. */
  refuse(problems: Problem[]): void
  forget(): void
}

/** `live` are the form's problems as last advised, null before anything was. */
export function useProblems(
  live: () => Problem[] | null,
  category: () => string,
): Problems & { refused: Ref<Problem[]> } {
  const refused = ref<Problem[]>([])
  const touched = reactive(new Set<Field>())
  const of = (all: Problem[], field: Field): Problem | undefined =>
    all.find((problem) => problem.field === field)

  return {
    refused,
    problemOf(field) {
      const advised = live()
      // The engine judges the arrival only when it records.
      if (advised === null || field === 'arrived_at') return of(refused.value, field)
      const found = of(advised, field)
      if (found?.code !== 'required') {
        return touched.has(field) || refused.value.length > 0 ? found : undefined
      }
      // The suggestion stands in for a category not chosen.
      if (field === 'category' && category() !== '') return undefined
      return of(refused.value, field) === undefined ? undefined : found
    },
    touch(field) {
      touched.add(field)
    },
    refuse(problems) {
      refused.value = problems
    },
    forget() {
      refused.value = []
      touched.clear()
    },
  }
}

export function areFolded(problems: Problem[]): boolean {
  return problems.some((problem) => FOLDED.includes(problem.field))
}

/** Puts the caret where the first of them is, in the order of the form. */
export function focusFirst(form: HTMLElement | undefined, problems: Problem[]): void {
  const wrong = new Set<string>(problems.map((problem) => problem.field))
  const fields = [...(form?.querySelectorAll<HTMLElement>('[data-field]') ?? [])]
  const first = fields.find((field) => wrong.has(field.dataset.field ?? ''))
  first?.querySelector<HTMLElement>('textarea, input')?.focus()
}
