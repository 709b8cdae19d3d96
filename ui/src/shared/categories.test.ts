import { expect, test } from 'vitest'
import { categoryOptions, categoryPath } from './categories'

const tree = {
  version: 1,
  nodes: ['A', 'A.01', 'A.01.02', 'B', 'C.07'].map((code) => ({ code, zh: `中${code}`, en: code })),
}

test('dotted codes become nested options; an orphan stands at the top', () => {
  expect(categoryOptions(tree, (node) => node.zh)).toEqual([
    {
      value: 'A',
      label: '中A',
      children: [{ value: 'A.01', label: '中A.01', children: [{ value: 'A.01.02', label: '中A.01.02' }] }],
    },
    { value: 'B', label: '中B' },
    { value: 'C.07', label: '中C.07' },
  ])
})

test('a path names every level it knows', () => {
  expect(categoryPath(tree, 'A.01.02', (node) => node.en)).toBe('A / A.01 / A.01.02')
  expect(categoryPath(tree, 'Z', (node) => node.en)).toBe('')
})
