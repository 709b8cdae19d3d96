// What the parts of the intake form share: the form, the problems beside its
// fields, and which of them may be shown yet.
import { inject, provide, type InjectionKey } from 'vue'
import type { Field, Form, Problem } from '@/shared/types'

export interface IntakeContext {
  form: Form
  /** The problem to show beside a field now, if any. */
  problemOf(field: Field): Problem | undefined
  /** The person has left the field: what is wrong in it may be told. */
  touch(field: Field): void
}

const KEY: InjectionKey<IntakeContext> = Symbol('intake')

export function provideIntake(context: IntakeContext): void {
  provide(KEY, context)
}

export function useIntake(): IntakeContext {
  const context = inject(KEY)
  if (context === undefined) throw new Error('an intake part stands outside the intake form')
  return context
}
