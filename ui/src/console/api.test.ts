import { afterEach, expect, test, vi } from 'vitest'
import { get, HubError, onSignedOut, post } from './api'
import { toldOf } from './problems'

afterEach(() => vi.unstubAllGlobals())

function answering(status: number, body: string): ReturnType<typeof vi.fn> {
  const asked = vi.fn(async () => new Response(status === 204 ? null : body, { status }))
  vi.stubGlobal('fetch', asked)
  return asked
}

const refused = (code: string): string => JSON.stringify({ code, params: { name: '周雪' }, field: null, tone: 'state', trace: 'ab' })

async function thrown(asking: Promise<unknown>): Promise<HubError> {
  const error: unknown = await asking.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof HubError)) throw new Error('no error of the hub was thrown')
  return error
}

test('every try of one step carries its key, and nothing is sent where there is nothing to say', async () => {
  const asked = answering(204, '')
  await post('/api/complaints/x/claim', undefined, 'k-1')
  const [, init] = asked.mock.calls[0] as [string, RequestInit]
  expect(init.headers).toEqual({ 'idempotency-key': 'k-1' })
  expect(init.body).toBeUndefined()
})

test('a question leaves out what was not asked', async () => {
  const asked = answering(200, '{}')
  await get('/api/work-orders', { view: 'queue', after: undefined, limit: 100 })
  expect(asked.mock.calls[0]?.[0]).toBe('/api/work-orders?view=queue&limit=100')
})

test('a refusal keeps its code and who won, and is told with a sentence of its own', async () => {
  answering(409, refused('claimed_by_other'))
  const error = await thrown(post('/api/complaints/x/claim'))
  expect(error.params).toEqual({ name: '周雪' })
  expect(toldOf(error).key).toBe('console.errors.code.claimed_by_other')
})

test('a page in place of the hub, and no answer at all, are each told', async () => {
  answering(502, '<html>gateway</html>')
  expect((await thrown(get('/api/me'))).code).toBe('hub_not_suda')
  vi.stubGlobal(
    'fetch',
    vi.fn(() => Promise.reject(new TypeError('no network'))),
  )
  expect((await thrown(get('/api/me'))).code).toBe('hub_unreachable')
})

test('only a sign-in that ended signs out, a wrong password does not', async () => {
  const told = vi.fn()
  onSignedOut(told)
  answering(401, refused('wrong_credentials'))
  await thrown(post('/api/login', {}))
  expect(told).not.toHaveBeenCalled()
  answering(401, refused('not_signed_in'))
  await thrown(get('/api/me'))
  expect(told).toHaveBeenCalledOnce()
})

test('nothing else in the console reaches the network', () => {
  const sources = import.meta.glob<string>(['./**/*.{ts,vue}', '!./**/*.test.ts'], {
    eager: true,
    query: '?raw',
    import: 'default',
  })
  const reaching = Object.entries(sources).filter(([, text]) => /\bfetch\(|new EventSource|XMLHttpRequest|sendBeacon/.test(text))
  expect(reaching.map(([path]) => path)).toEqual(['./api.ts'])
})
