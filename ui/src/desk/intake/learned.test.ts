import { mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { expect, test } from 'vitest'
import LearnedLine from './LearnedLine.vue'
import RulesSay from './RulesSay.vue'
import { emptySheet } from '@/shared/form'
import { testids } from '@/shared/testids'
import type { Learned, Reason, Suggestion } from '@/shared/types'

const i18n = createI18n({ legacy: false, locale: 'x', missingWarn: false, fallbackWarn: false, messages: { x: {} } })
const global = { plugins: [i18n], stubs: { 'el-tag': { template: '<i class="tag"><slot /></i>' } } }
const path = (code: string): string => `path of ${code}`

const learned = (over: Partial<Learned> = {}): Learned => ({
  top: [
    { category: 'a', p: 0.834 },
    { category: 'b', p: 0.1 },
  ],
  unsure: false,
  words: ['多扣'],
  version: 3,
  ...over,
})

test('a sure model shows its categories in order, how likely they are, and the words that decided', () => {
  const line = mount(LearnedLine, { props: { learned: learned(), ruled: false, path }, global })
  const items = line.findAll('li')
  expect(items.map((item) => item.find('.name').text())).toEqual(['path of a', 'path of b'])
  expect(items[0]!.find('.bar i').attributes('style')).toContain('83%')
  expect(items[0]!.classes()).toContain('first')
  expect(line.find('mark').text()).toBe('多扣')
  expect(line.find('.tag').exists()).toBe(false)
})

test('an unsure model says so, and no category of it stands out', () => {
  const line = mount(LearnedLine, { props: { learned: learned({ unsure: true }), ruled: false, path }, global })
  expect(line.attributes('data-unsure')).toBe('true')
  expect(line.find('.tag').text()).toBe('intake.advice.learned.unsure')
  expect(line.find('li.first').exists()).toBe(false)
  expect(line.find('mark').exists()).toBe(false)
})

test('what rules ask for is named until the field is filled in', () => {
  const reason: Reason = { rule: 'r', zh: '规则', en: 'rule', matched: ['账单'] }
  const suggestion = {
    route: { value: 'billing', reason },
    required: [
      { value: 'account', reason },
      { value: 'group', reason },
    ],
  } as Suggestion
  const form = { ...emptySheet().form, account: '13800138000' }
  const say = mount(RulesSay, { props: { suggestion, form, path }, global })
  expect(say.attributes('data-testid')).toBe(testids.intake.rulesSay)
  // The way and the group; the account is there already.
  expect(say.findAll('.reason')).toHaveLength(2)
  const none = mount(RulesSay, { props: { suggestion: { required: [] } as unknown as Suggestion, form, path }, global })
  expect(none.find('section').exists()).toBe(false)
})
