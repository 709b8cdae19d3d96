import { flushPromises, mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import { afterEach, expect, test, vi } from 'vitest'
import * as calls from './calls'
import { dayOf, lastDays, lines, offered, percentOff } from './sameAnswer'
import SameAnswerScreen from './screens/SameAnswerScreen.vue'
import { ids } from './testids'
import type { OutcomePair, PairSide, PairsView, SameAnswerView, Share } from './types'

vi.mock('./calls', () => ({ sameAnswer: vi.fn(), outcomePairs: vi.fn() }))

const share = (over: Partial<Share> = {}): Share => ({
  answers: 10, guided: 8, off: 2, above_limit: 1, other_remedy: 1, declared: 0, outdated: 0, ...over,
})
const view = (people: SameAnswerView['people'] = null): SameAnswerView => ({
  from: '2026-07-01',
  to: '2026-07-30',
  all: share(),
  branches: [
    { branch: 'CQ0101', name: '解放碑', share: share() },
    { branch: null, name: '', share: share({ answers: 3, guided: 0, off: 0 }) },
  ],
  categories: [{ category: 'B.01', category_zh: '断网', category_en: 'Outage', share: share() }],
  people,
})
const side = (reference: string, over: Partial<PairSide> = {}): PairSide => ({
  id: reference, reference, branch: 'CQ0101', branch_name: '解放碑', category_zh: '断网', category_en: 'Outage',
  state: 'answered', answered_at: '2026-07-21T02:00:00Z', excerpt: '宽带断了三天', at_counter: true, decision: null,
  answer: '', remedy: '减免', remedies: ['waiver'], amount_minor: 5800, band: 'up_to200', ...over,
})
const pair: OutcomePair = {
  one: side('A-1'),
  other: side('A-2', { remedies: ['explanation'], amount_minor: null }),
  near: 91, same_category: true, shared: ['宽带断了三天'], differs: ['remedy', 'amount'],
}
const zh = (thing: { zh: string }): string => thing.zh

afterEach(() => vi.useRealTimers())

test('a share is of the answers with guidance, and there is none without any', () => {
  expect(percentOff(share())).toBe(25)
  expect(percentOff(share({ guided: 0, off: 0 }))).toBeNull()
})

test('what experts answered has a line of its own, and persons are offered only when told', () => {
  expect(lines(view(), 'branches', '专家', zh).map((one) => [one.name, one.percent])).toEqual([
    ['解放碑', 25],
    ['专家', null],
  ])
  expect(lines(view(), 'categories', '专家', zh)[0]?.name).toBe('断网')
  expect(offered(view())).toEqual(['branches', 'categories'])
  expect(offered(view([]))).toEqual(['branches', 'categories', 'people'])
})

test('the days asked for end today and are whole local days', () => {
  expect(lastDays(30, new Date(2026, 2, 1, 0, 5))).toEqual(['2026-01-31', '2026-03-01'])
  expect(dayOf(new Date(2026, 11, 9, 23, 59))).toBe('2026-12-09')
})

test('the screen shows shares and pairs, and goes on until all are compared', async () => {
  vi.useFakeTimers()
  const part: PairsView = { pairs: [], compared: 1, to_compare: 2 }
  vi.mocked(calls.sameAnswer).mockResolvedValue(view())
  vi.mocked(calls.outcomePairs).mockResolvedValueOnce(part).mockResolvedValue({ pairs: [pair], compared: 2, to_compare: 2 })
  const i18n = createI18n({ legacy: false, locale: 'x', missingWarn: false, fallbackWarn: false, messages: { x: {} } })
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/case/:id', name: 'case', component: { render: () => null } }],
  })
  const shown = mount(SameAnswerScreen, { global: { plugins: [i18n, router] }, attachTo: document.body })
  await flushPromises()
  const screen = shown.get(`[data-testid="${ids.same.screen}"]`)
  expect(screen.attributes('data-left')).toBe('1')
  expect(shown.find(`[data-testid="${ids.same.off}"]`).attributes('data-value')).toBe('2')
  await vi.advanceTimersByTimeAsync(600)
  await flushPromises()
  expect(calls.outcomePairs).toHaveBeenCalledTimes(2)
  expect(screen.attributes('data-left')).toBe('0')
  const found = shown.get(`[data-testid="${ids.same.pair}"]`)
  expect(found.attributes('data-differs')).toBe('remedy amount')
  expect(found.findAll('mark').map((one) => one.text())).toEqual(['宽带断了三天'])
  await vi.advanceTimersByTimeAsync(5_000)
  expect(calls.outcomePairs).toHaveBeenCalledTimes(2)
  shown.unmount()
})
