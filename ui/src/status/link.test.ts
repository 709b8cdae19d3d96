import { expect, test } from 'vitest'
import { readLink } from './link'
import { foreignOffset, moment } from './local'
import { localeOf } from '@/shared/settings'

test('a receipt holds number and key behind the hash, an older one the number in the path', () => {
  const hash = '#CQ0101-261123-A-0001-P4.2Z287BUXU7GBJCRB'
  expect(readLink({ pathname: '/s', hash })).toEqual({ reference: 'CQ0101-261123-A-0001-P4', key: '2Z287BUXU7GBJCRB' })
  expect(readLink({ pathname: '/s/CQ0101-261123-A-0001-P4', hash: '' })).toEqual({
    reference: 'CQ0101-261123-A-0001-P4',
    key: null,
  })
  for (const at of [
    { pathname: '/s', hash: '' },
    { pathname: '/s/', hash: '#content' },
    { pathname: '/s', hash: '#%' },
  ]) {
    expect(readLink(at)).toBeNull()
  }
})

test('a moment is what the clock on the wall shows, wherever the reader is', () => {
  expect(moment('2026-07-21T23:30:00+08:00', 'zh-CN')).toMatch(/7月21日.*23:30/)
  expect(moment('2026-07-21T23:30:00.5-05:00', 'en')).toMatch(/21 Jul.*23:30/)
  const here = -new Date('2026-07-21T12:00:00Z').getTimezoneOffset()
  const offset = here === 345 ? '+08:00' : '+05:45'
  expect(foreignOffset(`2026-07-21T12:00:00${offset}`)).toBe(`UTC${offset}`)
})

test('the browser says in which language the page begins', () => {
  expect(localeOf(['zh-HK', 'en'])).toBe('zh-TW')
  expect(localeOf(['zh-Hant-CN'])).toBe('zh-TW')
  expect(localeOf(['fr-FR', 'zh'])).toBe('zh-CN')
  expect(localeOf(['fr-FR'])).toBe('en')
  expect(localeOf([])).toBe('zh-CN')
})
