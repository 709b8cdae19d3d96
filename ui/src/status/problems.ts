// From an error's code to the text that is said about it.
import type { StatusError } from './api'

const TEXTS: Record<string, string> = {
  unreachable: 'unreachable',
  busy: 'busy',
  disk_full: 'busy',
  not_signed_in: 'expired',
  not_in_this_state: 'changed',
  not_owner: 'changed',
  finally_decided: 'finally_decided',
  required: 'required',
  incomplete: 'required',
  too_long: 'too_long',
}

export interface Said {
  key: string
  params: Record<string, string>
}

/** The text's key under `status.error`. */
export function problemText(error: StatusError): Said {
  return { key: TEXTS[error.code] ?? 'unexpected', params: error.params }
}
