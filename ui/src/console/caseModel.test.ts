import { effectScope } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useCase, type CaseModel } from './caseModel'
import { signIn } from './session'
import { stopLive } from './live'

class NoFeed extends EventTarget {
  close(): void {}
}

/** What the hub says of the complaint now: who holds it. */
let holder: { expert: string; expert_name: string } | null = null
let state = 'claimed'
let model: CaseModel
const scope = effectScope()

beforeEach(async () => {
  holder = { expert: 'me', expert_name: '周雪' }
  state = 'claimed'
  vi.stubGlobal('EventSource', NoFeed)
  vi.stubGlobal(
    'fetch',
    vi.fn(async (path: string) => {
      const body = path === '/api/login' ? { id: 'me', role: 'expert' } : { id: 'c', state, claim: holder }
      return new Response(JSON.stringify(body))
    }),
  )
  await signIn('zhouxue', 'x')
  const made = scope.run(() => useCase('c'))
  if (made === undefined) throw new Error('no model')
  model = made
  await model.load()
})

afterEach(() => {
  stopLive()
  vi.unstubAllGlobals()
})

test('a claim that ran out is told as lost, and as found again when claimed again', async () => {
  expect(model.lost.value).toBeNull()
  holder = null
  state = 'queued'
  await model.load()
  expect(model.lost.value).toEqual({ to: null })
  holder = { expert: 'me', expert_name: '周雪' }
  state = 'claimed'
  await model.step('claim', undefined, 'k')
  expect(model.lost.value).toBeNull()
})

test('who has it now is named', async () => {
  holder = { expert: 'other', expert_name: '吴昊' }
  await model.load()
  expect(model.lost.value).toEqual({ to: '吴昊' })
})

test('giving it back oneself is no loss, whichever answer comes first', async () => {
  holder = null
  state = 'queued'
  await Promise.all([model.step('release', undefined, 'k'), model.load()])
  expect(model.lost.value).toBeNull()
})

test('a complaint that has ended is nobody’s loss', async () => {
  holder = null
  state = 'closed'
  await model.load()
  expect(model.lost.value).toBeNull()
})
