// The call-back: which tries count, and what an answer lets one expect of the
// next. The hub counts the same way (crates/domain, `CallBack`).
import type { Dissatisfaction, Try } from './types'

/** Tries without reaching the customer after which nobody tries again. */
export const MOST_TRIES = 3
const BETWEEN_TRIES = 4 * 60 * 60_000
/** From here on the customer is content. */
const CONTENT = 4

type At = Pick<Try, 'at'>

/** Each some hours after the one before that counts. */
export function countedTries<T extends At>(tries: readonly T[]): T[] {
  const counted: T[] = []
  for (const one of tries) {
    const last = counted.at(-1)
    if (last === undefined || Date.parse(one.at) - Date.parse(last.at) >= BETWEEN_TRIES) counted.push(one)
  }
  return counted
}

/** From when on another try counts; null when it does now. */
export function countsFrom(tries: readonly At[], now: number): string | null {
  const last = countedTries(tries).at(-1)
  if (last === undefined) return null
  const next = Date.parse(last.at) + BETWEEN_TRIES
  return next > now ? new Date(next).toISOString() : null
}

export interface Talk {
  /** Whether the customer knows the answer. */
  known: boolean | undefined
  /** Whether it is carried out. */
  done: boolean | undefined
  /** 0 while none is given. */
  score: number
  causes: Dissatisfaction[]
  comment: string
  satisfied: boolean | undefined
  reopen: boolean
}

export const freshTalk = (): Talk => ({
  known: undefined,
  done: undefined,
  score: 0,
  causes: [],
  comment: '',
  satisfied: undefined,
  reopen: true,
})

/** What the answers so far say of the last question; nothing when they leave it open. */
export function foreseen({ done, score }: Pick<Talk, 'done' | 'score'>): boolean | undefined {
  if (done === false) return false
  if (score >= CONTENT) return true
  return score > 0 && score < CONTENT - 1 ? false : undefined
}

/** Something is to be asked about what was missing. */
export function wasMissing({ done, score, satisfied }: Talk): boolean {
  return satisfied === false || done === false || (score > 0 && score < CONTENT)
}

export const reopens = (talk: Talk, decided: boolean): boolean => talk.satisfied === false && talk.reopen && !decided

/** Fields that lack something, by name. */
export function talkLacks(talk: Talk, decided: boolean): (keyof Talk)[] {
  const lacks: (keyof Talk)[] = []
  if (talk.score === 0) lacks.push('score')
  if (talk.satisfied === undefined) lacks.push('satisfied')
  if (reopens(talk, decided) && talk.comment.trim() === '') lacks.push('comment')
  return lacks
}
