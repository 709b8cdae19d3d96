import { mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { expect, test } from 'vitest'
import HandoffLine from './HandoffLine.vue'
import { intake as zh } from '@/texts/zh-CN/intake'
import { intake as tw } from '@/texts/zh-TW/intake'
import { intake as en } from '@/texts/en/intake'
import type { Weighed } from '@/shared/types'

const messages = { 'zh-CN': { intake: zh }, 'zh-TW': { intake: tw }, en: { intake: en } }
const GROUNDS = ['category', 'grade', 'amount', 'limit', 'earlier', 'group', 'channel', 'branch'] as const

const weighed = (over: Partial<Weighed> = {}): Weighed => ({
  p: 0.38,
  threshold: 0.2,
  unsure: false,
  because: [
    { ground: 'limit', raises: true },
    { ground: 'category', raises: true, cases: 40, needed: 31 },
  ],
  version: 7,
  ...over,
})

function shown(of: Weighed, locale: keyof typeof messages = 'zh-CN') {
  const i18n = createI18n({ legacy: false, locale, messages })
  return mount(HandoffLine, { props: { weighed: of }, global: { plugins: [i18n] } })
}

test('the likelihood, the line and the reasons are told in words, the strongest first', () => {
  const line = shown(weighed())
  expect(line.text()).toContain('38%')
  expect(line.text()).toContain('达到 20% 建议转派')
  expect(line.findAll('li').map((one) => one.text())).toEqual(['金额超过或接近本厅权限', '这类投诉以往 40 件中有 31 件需要中心处理'])
  expect(line.find('.bar i').classes()).toContain('over')
  expect(shown(weighed({ p: 0.1, because: [] })).find('.bar i').classes()).not.toContain('over')
})

test('one that is just below the line is not shown as above it', () => {
  const line = shown(weighed({ p: 0.196, because: [] }))
  expect(line.text()).toContain('19.6%')
  expect(line.find('.bar i').classes()).not.toContain('over')
})

test('an unsure one says so and names no likelihood', () => {
  const line = shown(weighed({ unsure: true, because: [] }))
  expect(line.attributes('data-unsure')).toBe('true')
  expect(line.text()).not.toContain('%')
})

test('every ground has words for either way in all languages', () => {
  for (const locale of Object.keys(messages) as (keyof typeof messages)[]) {
    for (const raises of [true, false]) {
      const line = shown(weighed({ because: GROUNDS.map((ground) => ({ ground, raises })) }), locale)
      const told = line.findAll('li').map((one) => one.text())
      expect(new Set(told).size).toBe(GROUNDS.length)
      expect(told.some((one) => one.includes('intake.'))).toBe(false)
    }
  }
})
