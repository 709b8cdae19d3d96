import { effectScope } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { calmly, liveState, onLive, startLive, stopLive } from './live'

/** Stands for the browser's feed; the test plays the hub. */
class Feed extends EventTarget {
  static opened: Feed[] = []
  onerror: (() => void) | null = null
  closed = false
  constructor() {
    super()
    Feed.opened.push(this)
  }
  close(): void {
    this.closed = true
  }
  say(kind: string, data = '{}'): void {
    this.dispatchEvent(new MessageEvent(kind, { data }))
  }
}

const last = (): Feed => {
  const feed = Feed.opened.at(-1)
  if (feed === undefined) throw new Error('no feed was opened')
  return feed
}

let signedIn = true

beforeEach(() => {
  vi.useFakeTimers()
  Feed.opened = []
  signedIn = true
  vi.stubGlobal('EventSource', Feed)
  vi.stubGlobal(
    'fetch',
    vi.fn(async () =>
      signedIn
        ? new Response('{}')
        : new Response(JSON.stringify({ code: 'not_signed_in', tone: 'denied' }), { status: 401 }),
    ),
  )
})

afterEach(() => {
  stopLive()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a broken feed says so, comes back by itself, and then everybody asks again', async () => {
  const heard = vi.fn()
  const scope = effectScope()
  scope.run(() => onLive('work_orders', heard))
  startLive()
  expect(liveState.value).toBe('connecting')
  last().say('ready')
  expect(liveState.value).toBe('live')
  heard.mockClear()

  last().onerror?.()
  expect(liveState.value).toBe('lost')
  expect(last().closed).toBe(true)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(Feed.opened).toHaveLength(2)
  last().say('ready')
  expect(liveState.value).toBe('live')
  expect(heard).toHaveBeenCalledOnce()
  scope.stop()
  last().say('work_orders')
  expect(heard).toHaveBeenCalledOnce()
})

test('a complaint is named to those who look at it', () => {
  const heard = vi.fn()
  const scope = effectScope()
  scope.run(() => onLive('complaint', heard))
  startLive()
  last().say('complaint', '{"id":"c-1"}')
  expect(heard).toHaveBeenLastCalledWith('c-1')
  scope.stop()
})

test('a hub that stays away is asked more and more seldom', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(1)
  startLive()
  const after: number[] = []
  for (let n = 0; n < 7; n += 1) {
    const opened = Feed.opened.length
    last().onerror?.()
    let waited = 0
    while (Feed.opened.length === opened && waited < 60_000) {
      await vi.advanceTimersByTimeAsync(250)
      waited += 250
    }
    after.push(waited)
  }
  expect(after[0]).toBeLessThan(1_000)
  expect(after).toEqual([...after].sort((a, b) => a - b))
  expect(Math.max(...after)).toBeLessThan(16_000)
  vi.mocked(Math.random).mockRestore()
})

test('a burst of news costs two questions, the first of them at once', async () => {
  const asked = vi.fn(async () => {})
  const news = calmly(asked, 300)
  for (let n = 0; n < 50; n += 1) news()
  expect(asked).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked).toHaveBeenCalledTimes(2)
})
