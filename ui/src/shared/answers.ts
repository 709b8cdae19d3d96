// A suggested answer put into a field by a person's click: what was typed
// stays, and what was put there is edited like anything typed.
import type { AnswerSuggestion } from './types'

/** The suggestion below what stands there already. */
export function withSuggestion(typed: string, suggested: string): string {
  const before = typed.trimEnd()
  if (suggested === '' || before.endsWith(suggested)) return typed
  return before === '' ? suggested : `${before}\n\n${suggested}`
}

/** A remedy is one line: it is only filled where there is none. */
export function withRemedy(typed: string, suggested: string): string {
  return typed.trim() === '' ? suggested : typed
}

/** A name for lists and tests that no two suggestions share. */
export function suggestionKey({ source }: AnswerSuggestion): string {
  return source.kind === 'guidance' ? `${source.category}/${source.version}` : source.reference
}
