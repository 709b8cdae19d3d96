import { mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { expect, test } from 'vitest'
import AnswerSuggestions from './AnswerSuggestions.vue'
import { withRemedy, withSuggestion } from '@/shared/answers'
import { testids } from '@/shared/testids'
import type { AnswerSuggestion } from '@/shared/types'

const i18n = createI18n({ legacy: false, locale: 'x', missingWarn: false, fallbackWarn: false, messages: { x: {} } })
const guidance: AnswerSuggestion = {
  source: { kind: 'guidance', category: 'B.01', version: 3, title: '宽带断网' },
  text: '远程检测，上门修复', remedy: '', amount_minor: null, veiled: false,
}
const past: AnswerSuggestion = {
  source: {
    kind: 'case', reference: 'CQ0101-260721-A-0002-HS', near: 88, same_category: true, shared: ['宽带断了三天'],
    at_counter: true, answered_at: '2026-07-21T02:00:00Z', others: 2,
  },
  text: '师傅上门更换光猫', remedy: '减免三天月费', amount_minor: 900, veiled: true,
}

function list() {
  return mount(AnswerSuggestions, { props: { suggestions: [guidance, past] }, global: { plugins: [i18n] } })
}
const all = (one: ReturnType<typeof list>, id: string) => one.findAll(`[data-testid="${id}"]`)

test('each suggestion names its source, and what both tell is marked', () => {
  const [first, second] = all(list(), testids.suggestions.item)
  expect(first?.attributes('data-source')).toBe('guidance')
  expect(first?.text()).toContain('宽带断网')
  expect(second?.attributes('data-name')).toBe('CQ0101-260721-A-0002-HS')
  expect(second?.findAll('mark').map((mark) => mark.text())).toEqual(['宽带断了三天'])
  expect(second?.text()).toContain('words.suggestion.veiled')
})

test('nothing is used until a person clicks, and then that one alone', async () => {
  const shown = list()
  expect(shown.emitted('use')).toBeUndefined()
  await all(shown, testids.suggestions.use)[1]?.trigger('click')
  expect(shown.emitted('use')).toEqual([[past]])
})

test('a suggestion stands below what was typed, is not doubled, and takes the place of no remedy', () => {
  expect(withSuggestion('', 'A')).toBe('A')
  expect(withSuggestion('我写的 \n', 'A')).toBe('我写的\n\nA')
  expect(withSuggestion('我写的\n\nA', 'A')).toBe('我写的\n\nA')
  expect(withRemedy(' ', 'B')).toBe('B')
  expect(withRemedy('退费', 'B')).toBe('退费')
})
