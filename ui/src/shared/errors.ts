// From an error that came over a boundary to what is said about it: a text's
// key and its parameters. Codes come in, no sentence ever does.
import { errors } from '@/texts/zh-CN/errors'
import type { Problem, Tone } from './types'

/** An error as it comes over a boundary, from the desk's engine or the hub. */
export interface Coded {
  code: string
  tone: Tone
  params?: Record<string, string>
  trace?: string | null
  problems?: Problem[]
}

/** What a screen shows. */
export interface Told {
  code: string
  tone: Tone
  key: string
  params: Record<string, string>
  trace: string
  problems: Problem[]
}

/** Only faults carry their trace: for the others there is nothing to look up. */
export function tell(error: Coded): Told {
  const known = Object.hasOwn(errors.code, error.code)
  return {
    code: error.code,
    tone: error.tone,
    key: known ? `errors.code.${error.code}` : 'errors.unexpected',
    params: error.params ?? {},
    trace: error.tone === 'fault' ? (error.trace ?? '') : '',
    problems: error.problems ?? [],
  }
}

/** Something thrown that no code describes. */
export function tellUnexpected(): Told {
  return {
    code: 'internal',
    tone: 'fault',
    key: 'errors.unexpected',
    params: {},
    trace: '',
    problems: [],
  }
}
