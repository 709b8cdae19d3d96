// The only door to the hub from the status page. Nothing here knows what the
// requests mean to a reader.
import type { Opened, StatusCase } from './types'

/** Why a request failed: the hub's code, or that the hub was not reached. */
export class StatusError extends Error {
  readonly code: string
  readonly params: Record<string, string>

  constructor(code: string, params: Record<string, string> = {}) {
    super(code)
    this.code = code
    this.params = params
  }
}

/** Longer than a slow link needs for a small answer. */
const PATIENCE_MS = 30_000

/** How the person shows that the complaint is theirs. */
export type Proof = { last4: string } | { key: string }

export function lookUp(reference: string, proof: Proof): Promise<Opened> {
  return request('POST', 'look-up', { body: { reference, ...proof } })
}

export function getCase(token: string): Promise<StatusCase> {
  return request('GET', 'case', { token })
}

/** A step of the customer; with a key the hub does it once, however often asked. */
export function step(token: string, name: string, body: unknown, key: string): Promise<StatusCase> {
  return request('POST', `case/${name}`, { token, body, key })
}

/** A key for one click. */
export function clickKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  // Pages on plain HTTP, in a trial, have no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
}

interface Given {
  token?: string
  body?: unknown
  key?: string
}

async function request<T>(method: 'GET' | 'POST', path: string, given: Given): Promise<T> {
  const headers: Record<string, string> = {}
  if (given.token !== undefined) headers.authorization = `Bearer ${given.token}`
  if (given.key !== undefined) headers['idempotency-key'] = given.key
  if (given.body !== undefined) headers['content-type'] = 'application/json'
  const waiting = new AbortController()
  const timer = setTimeout(() => waiting.abort(), PATIENCE_MS)
  try {
    const answer = await fetch(`/s/api/${path}`, {
      method,
      headers,
      body: given.body === undefined ? null : JSON.stringify(given.body),
      credentials: 'omit',
      cache: 'no-store',
      signal: waiting.signal,
    })
    const text = await answer.text()
    if (answer.ok) return JSON.parse(text) as T
    throw failure(text)
  } catch (error) {
    throw error instanceof StatusError ? error : new StatusError('unreachable')
  } finally {
    clearTimeout(timer)
  }
}

function failure(text: string): StatusError {
  try {
    const { code, params } = JSON.parse(text) as { code?: string; params?: Record<string, string> }
    return new StatusError(code ?? 'unexpected', params)
  } catch {
    // A proxy's own page.
    return new StatusError('unreachable')
  }
}

/** Sends a file; `sent` hears how much of it is on its way, 0 to 1. */
export function sendFile(token: string, file: File, sent: (part: number) => void): Promise<StatusCase> {
  return new Promise((done, failed) => {
    // fetch() cannot say how far an upload is.
    const asking = new XMLHttpRequest()
    asking.open('POST', `/s/api/case/evidence?name=${encodeURIComponent(file.name)}`)
    asking.setRequestHeader('authorization', `Bearer ${token}`)
    asking.setRequestHeader('idempotency-key', clickKey())
    asking.setRequestHeader('content-type', 'application/octet-stream')
    asking.upload.onprogress = (event) => {
      if (event.lengthComputable) sent(event.loaded / event.total)
    }
    asking.onerror = () => failed(new StatusError('unreachable'))
    asking.onload = () => {
      if (asking.status >= 200 && asking.status < 300) done(JSON.parse(asking.responseText) as StatusCase)
      else failed(failure(asking.responseText))
    }
    asking.send(file)
  })
}
