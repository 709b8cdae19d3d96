import { expect, test } from 'vitest'
import { parseAmount } from './money'

test.each([
  ['', null],
  ['  ', null],
  ['114', 11_400],
  ['114.5', 11_450],
  ['0.29', 29],
  ['1,234.56', 123_456],
  ['１２３', 12_300],
  ['￥88元', 8_800],
  ['38。5', 3_850],
])('%j is taken as meant', (text, minor) => {
  expect(parseAmount(text)).toBe(minor)
})

test.each(['abc', '-5', '1.234', '1.2.3', '99999999999', '42949673'])('%j is no amount', (text) => {
  expect(parseAmount(text)).toBeUndefined()
})
