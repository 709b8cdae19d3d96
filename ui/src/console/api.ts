// The only door to the hub: every request and the live feed go through here.
// No word about what the requests mean; that is calls.ts.
import type { Coded } from '@/shared/errors'
import type { Tone } from '@/shared/types'

/** An error as the hub gives it, or one of our own about reaching the hub. */
export class HubError extends Error implements Coded {
  readonly code: string
  readonly tone: Tone
  readonly params: Record<string, string>
  readonly field: string | null
  readonly trace: string | null
  readonly status: number

  constructor(given: {
    code: string
    tone: Tone
    params?: Record<string, string>
    field?: string | null
    trace?: string | null
    status?: number
  }) {
    super(given.code)
    this.code = given.code
    this.tone = given.tone
    this.params = given.params ?? {}
    this.field = given.field ?? null
    this.trace = given.trace ?? null
    this.status = given.status ?? 0
  }
}

/** Longer than any request the hub answers in order. */
const PATIENCE_MS = 20_000

const signedOutListeners = new Set<() => void>()

/** Told when the hub no longer knows who is asking. */
export function onSignedOut(listener: () => void): void {
  signedOutListeners.add(listener)
}

type Query = Record<string, string | number | undefined>

export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const filled = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(filled.map(([name, value]) => [name, String(value)]))
  const tail = search.size > 0 ? `?${search}` : ''
  return request<T>('GET', `${path}${tail}`, undefined, signal)
}

/** With a key the hub does it once, however often it is asked. */
export function post<T>(
  path: string,
  body?: unknown,
  key?: string,
  signal?: AbortSignal,
): Promise<T> {
  return request<T>('POST', path, body, signal, key)
}

export function put<T>(path: string, body: unknown): Promise<T> {
  return request<T>('PUT', path, body)
}

/** Longer than a file of the largest size takes on a slow link. */
const FILE_PATIENCE_MS = 30 * 60_000

/** Sends a file as it is. */
export function postFile<T>(path: string, file: Blob): Promise<T> {
  return request<T>('POST', path, file)
}

async function request<T>(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  key?: string,
): Promise<T> {
  const isFile = body instanceof Blob
  const limit = AbortSignal.timeout(isFile ? FILE_PATIENCE_MS : PATIENCE_MS)
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: {
        ...(body === undefined ? {} : { 'content-type': isFile ? 'application/octet-stream' : 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      body: body === undefined || isFile ? body : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new HubError({ code: 'hub_unreachable', tone: 'fault' })
  }
  if (answer.status === 204) return undefined as T
  const content = await readJson(answer)
  if (answer.ok) return content as T
  const error = asHubError(content, answer.status)
  if (error.code === 'not_signed_in') {
    for (const told of signedOutListeners) told()
  }
  throw error
}

async function readJson(answer: Response): Promise<unknown> {
  const text = await answer.text()
  if (text === '' && answer.ok) return undefined
  try {
    return JSON.parse(text)
  } catch {
    // Something between the browser and the hub answered in its place.
    throw new HubError({ code: 'hub_not_suda', tone: 'fault', status: answer.status })
  }
}

function asHubError(content: unknown, status: number): HubError {
  const given = (typeof content === 'object' && content !== null ? content : {}) as Partial<HubError>
  if (typeof given.code !== 'string') {
    return new HubError({ code: 'hub_not_suda', tone: 'fault', status })
  }
  return new HubError({
    code: given.code,
    tone: given.tone ?? 'fault',
    params: given.params,
    field: given.field,
    trace: given.trace,
    status,
  })
}

/** Listens to the live feed; the caller reconnects when it breaks. */
export function openFeed<Kind extends string>(
  path: string,
  kinds: readonly Kind[],
  told: {
    event: (kind: Kind, data: string) => void
    broken: () => void
  },
): () => void {
  const source = new EventSource(path)
  source.onerror = () => {
    // The browser's own retry gives no sign of life for long and stops for
    // good at an HTTP error, so the caller's does it.
    source.close()
    told.broken()
  }
  for (const kind of kinds) {
    source.addEventListener(kind, (message: MessageEvent<string>) => told.event(kind, message.data))
  }
  return () => source.close()
}
