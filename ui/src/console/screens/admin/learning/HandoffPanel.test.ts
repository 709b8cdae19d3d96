import { mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { describe, expect, it } from 'vitest'
import HandoffPanel from './HandoffPanel.vue'
import { ids } from '../../../testids'
import { consoleLearning as zh } from '@/texts/zh-CN/console/learning'
import type { HandoffView } from '../../../types'

const i18n = createI18n({ legacy: false, locale: 'zh-CN', messages: { 'zh-CN': { console: { learning: zh } } } })
const number = {
  props: ['modelValue'],
  emits: ['update:modelValue'],
  template: '<input :value="modelValue" @input="$emit(\'update:modelValue\', Number($event.target.value))" />',
}
const stubs = {
  'el-tag': { template: '<i><slot /></i>' },
  'el-form': { template: '<form><slot /></form>' },
  'el-input-number': number,
  'el-popconfirm': {
    emits: ['confirm'],
    template: '<span @click="$emit(\'confirm\')"><slot name="reference" /></span>',
  },
  'el-button': { template: '<button type="button"><slot /></button>' },
  'el-alert': { props: ['title'], template: '<p>{{ title }}</p>' },
}

/** At four times 30 of 100 are handed off, at nine 45. */
function view(over: Partial<HandoffView> = {}): HandoffView {
  const curve = Array.from({ length: 100 }, (_, at) => ({
    handed_off: at < 8 ? 30 : 45,
    wrong: at < 8 ? 12 : 24,
    missed: at < 8 ? 7 : 4,
  }))
  return {
    revision: 'r',
    costs: 4,
    most: 100,
    in_use: 3,
    version: 3,
    report: {
      decision: 'in_use',
      cases: 100,
      needed: 25,
      ordered: 40,
      untold: 5,
      unsure: 2,
      calibration_error: 0.03,
      calibration: [{ cases: 100, said: 0.25, right: 0.25 }],
      by_people: { handed_off: 60, wrong: 38, missed: 3 },
      by_rules: { handed_off: 100, wrong: 75, missed: 0 },
      curve,
    },
    ...over,
  }
}

const shown = (of: HandoffView) => mount(HandoffPanel, { props: { view: of, busy: false }, global: { plugins: [i18n], stubs } })
const by = (id: string) => `[data-testid="${id}"]`

describe('what a missed handoff costs', () => {
  it('shows where it stands, beside what rules and people did', () => {
    const panel = shown(view())
    expect(panel.text()).toContain('可能性达到 20 % 就建议转派')
    expect(panel.find(by(ids.learning.costPreview)).exists()).toBe(false)
    expect(panel.find(by(ids.learning.setCosts)).exists()).toBe(false)
    const cells = panel.findAll('tbody tr').map((row) => row.findAll('td').map((cell) => cell.text()))
    expect(cells).toEqual([
      ['30', '12', '7', '40'],
      ['100', '75', '0', '75'],
      ['60', '38', '3', '50'],
    ])
  })

  it('says what another ratio would have changed before it is used', async () => {
    const panel = shown(view())
    await panel.find(by(ids.learning.costs)).setValue('9')
    expect(panel.find(by(ids.learning.costPreview)).text()).toBe('最近 100 件中，会多转派 15 件')
    expect(panel.text()).toContain('可能性达到 10 % 就建议转派')
    expect(panel.emitted('set')).toBeUndefined()
    await panel.find(by(ids.learning.setCosts)).trigger('click')
    expect(panel.emitted('set')).toEqual([[9]])
  })

  it('does not call in use what was only tried, nor what is not in use the present', async () => {
    const tried = shown(view({ in_use: null, version: 4 }))
    expect(tried.text()).toContain('第 4 版的结果（仅试学）')
    expect(tried.text()).not.toContain('已下发')
    expect(tried.text()).not.toContain('现在（4 倍）')
    await tried.find(by(ids.learning.costs)).setValue('9')
    expect(tried.find(by(ids.learning.costPreview)).exists()).toBe(false)
    const report = view().report
    const worse = shown(view({ version: 4, report: report && { ...report, decision: 'no_better' } }))
    expect(worse.text()).toContain('在用：第 3 版')
    expect(worse.text()).not.toContain('按规则建议')
  })

  it('shows neither curve nor preview where nothing was learned', async () => {
    const panel = shown(view({ in_use: null, version: null, report: null }))
    await panel.find(by(ids.learning.costs)).setValue('9')
    expect(panel.find('svg').exists()).toBe(false)
    expect(panel.find(by(ids.learning.costPreview)).exists()).toBe(false)
    expect(panel.text()).toContain('未启用')
  })
})
