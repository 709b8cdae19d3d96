// From an error of the hub to what a screen says about it. Codes the console
// knows beyond the shared ones, or says otherwise, have their own texts.
import { tell, tellUnexpected, type Told } from '@/shared/errors'
import { consoleErrors } from '@/texts/zh-CN/console/errors'
import { HubError } from './api'

export function toldOf(thrown: unknown): Told {
  if (!(thrown instanceof HubError)) return tellUnexpected()
  const told = tell(thrown)
  return Object.hasOwn(consoleErrors.code, thrown.code)
    ? { ...told, key: `console.errors.code.${thrown.code}` }
    : told
}

/** The field the hub found fault with, if it named one. */
export function fieldOf(thrown: unknown): string | null {
  return thrown instanceof HubError ? thrown.field : null
}
