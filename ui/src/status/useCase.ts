// The one complaint a customer looks at: opened, renewed, changed, left.
import { reactive, readonly } from 'vue'
import { clickKey, getCase, lookUp, sendFile, StatusError, step, type Proof } from './api'
import { dropToken, keepToken, keptToken } from './kept'
import type { StatusCase } from './types'

interface Open {
  case: StatusCase | null
  /** The look-up ran out while the page was open. */
  expired: boolean
}

const open = reactive<Open>({ case: null, expired: false })
let token: string | null = keptToken()

/** What was typed and not yet sent, by field; a look-up that runs out keeps it. */
export const drafts = reactive<Record<string, string>>({})

function lost(): void {
  token = null
  dropToken()
  open.expired = open.case !== null
  open.case = null
}

async function asked(ask: (token: string) => Promise<StatusCase>): Promise<StatusCase> {
  if (token === null) {
    lost()
    throw new StatusError('not_signed_in')
  }
  try {
    open.case = await ask(token)
    return open.case
  } catch (error) {
    if (error instanceof StatusError && error.code === 'not_signed_in') lost()
    throw error
  }
}

export function useCase() {
  return {
    open: readonly(open) as Readonly<Open>,
    drafts,
    /** Whether an earlier look-up may still hold. */
    isKept: (): boolean => token !== null,
    async lookUp(reference: string, proof: Proof): Promise<void> {
      const opened = await lookUp(reference, proof)
      if (opened.case.reference !== open.case?.reference) for (const name in drafts) if (!open.expired) delete drafts[name]
      token = opened.token
      keepToken(opened.token, opened.lasts_s)
      open.expired = false
      open.case = opened.case
    },
    renew: (): Promise<StatusCase> => asked(getCase),
    /** Sends a step; the key makes a second click do nothing. */
    step: (name: string, body: unknown, key: string): Promise<StatusCase> =>
      asked((token) => step(token, name, body, key)),
    sendFile: (file: File, sent: (part: number) => void): Promise<StatusCase> =>
      asked((token) => sendFile(token, file, sent)),
    leave(): void {
      token = null
      dropToken()
      open.case = null
      open.expired = false
      for (const name in drafts) delete drafts[name]
    },
  }
}

/** Sends one thing with one key until it has arrived; a failed try keeps its key. */
export function useClick() {
  const { step, renew } = useCase()
  const click = reactive({ busy: false, error: null as StatusError | null })
  let key = clickKey()
  return {
    click,
    async send(name: string, body: unknown): Promise<boolean> {
      if (click.busy) return false
      click.busy = true
      click.error = null
      try {
        await step(name, body, key)
        key = clickKey()
        return true
      } catch (error) {
        click.error = error instanceof StatusError ? error : new StatusError('unexpected')
        // Somebody else has changed it: the page shows how it is now.
        if (click.error.code === 'not_in_this_state') await renew().catch(() => undefined)
        return false
      } finally {
        click.busy = false
      }
    },
  }
}
