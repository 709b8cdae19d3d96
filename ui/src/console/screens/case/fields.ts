// What every step's form is given, and the check they share.
import type { CaseModel } from '../../caseModel'
import type { StepKind } from '../../steps'
import type { ComplaintView } from '../../types'

export interface StepProps {
  kind: StepKind
  view: ComplaintView
  model: CaseModel
  possible: boolean
}

/** The names of the fields left empty, each with what to say. */
export function emptyOnes<T extends object>(form: T, fields: readonly (keyof T & string)[], say: string): Record<string, string> {
  const empty = fields.filter((field) => String(form[field] ?? '').trim() === '')
  return Object.fromEntries(empty.map((field) => [field, say]))
}
