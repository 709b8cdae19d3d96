// The steps a branch can take with a complaint, as the dialog needs them.
import { host } from '../host'
import type { CaseView, Guidance, Settlement } from '@/shared/types'

export type Step = 'settle' | 'hand_off' | 'note' | 'withdraw' | 'reply' | 'take_over'

/** Steps that mean nothing without a text. */
export function needsText(step: Step): boolean {
  return step !== 'hand_off'
}

/** `question` is the one that is answered; only a reply has one. */
export function takeStep(step: Step, id: string, written: Settlement, question = ''): Promise<CaseView> {
  const text = written.summary.trim()
  switch (step) {
    case 'settle':
      return host.settle(id, {
        ...written,
        summary: text,
        remedy: written.remedy.trim(),
        deviation: (written.deviation ?? '').trim(),
      })
    case 'hand_off':
      return host.handOff(id, text === '' ? null : text)
    case 'note':
      return host.note(id, text)
    case 'withdraw':
      return host.withdraw(id, text)
    case 'take_over':
      return host.takeOver(id, text)
    case 'reply':
      return host.reply(id, question, text)
  }
}

/** What guidance lets a branch give; nothing where there is no guidance. One that names no sum lets it give none. */
export function guidanceLimit(guidance: Guidance | null): number | null {
  return guidance === null ? null : (guidance.limit_minor ?? 0)
}

/** Whether an amount is more than the guidance lets a branch give. */
export function isOverLimit(amount: number | null, limit: number | null): boolean {
  return amount !== null && limit !== null && amount > limit
}
