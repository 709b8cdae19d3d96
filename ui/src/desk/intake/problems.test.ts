import { expect, test } from 'vitest'
import { useProblems } from './problems'
import type { Problem } from '@/shared/types'

const missing: Problem = { field: 'description', code: 'required', limit: null }
const wrong: Problem = { field: 'phone', code: 'not_a_phone', limit: null }
const noCategory: Problem = { field: 'category', code: 'required', limit: null }

test('what is missing is told only once recording was tried', () => {
  const problems = useProblems(() => [missing], () => '')
  problems.touch('description')
  expect(problems.problemOf('description')).toBeUndefined()
  problems.refuse([missing])
  expect(problems.problemOf('description')).toEqual(missing)
})

test('what is wrong is told when the field is left, and no longer when it is mended', () => {
  let live = [wrong]
  const problems = useProblems(() => live, () => '')
  expect(problems.problemOf('phone')).toBeUndefined()
  problems.touch('phone')
  expect(problems.problemOf('phone')).toEqual(wrong)
  live = []
  expect(problems.problemOf('phone')).toBeUndefined()
})

test('a suggested category is not missing', () => {
  const problems = useProblems(() => [noCategory], () => 'A.01')
  problems.refuse([noCategory])
  expect(problems.problemOf('category')).toBeUndefined()
})

test('a new form starts without the old one’s problems', () => {
  const problems = useProblems(() => [missing, wrong], () => '')
  problems.refuse([missing])
  problems.touch('phone')
  problems.forget()
  expect(problems.problemOf('description')).toBeUndefined()
  expect(problems.problemOf('phone')).toBeUndefined()
})
