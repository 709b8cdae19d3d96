// Rules of the house that a reader of one file cannot see broken.
import { NodeTypes, type TemplateChildNode } from '@vue/compiler-core'
import { expect, test } from 'vitest'
import { parse } from 'vue/compiler-sfc'

const sources = import.meta.glob<string>(
  ['../**/*.{ts,vue,css}', '!../bindings/**', '!../**/*.test.ts'],
  { eager: true, query: '?raw', import: 'default' },
)
const files = Object.entries(sources).map(([path, text]) => ({ path: path.replace('../', ''), text }))
const views = files.filter(({ path }) => path.endsWith('.vue'))

/** Attributes whose value a person reads or hears. */
const READ = new Set(['title', 'placeholder', 'alt', 'label', 'aria-label', 'content', 'description'])
const WORD = /\p{L}/u

/** Words written in a template. Names of keys, in `kbd`, are the same in every language. */
function literals(nodes: readonly TemplateChildNode[]): string[] {
  const found: string[] = []
  for (const node of nodes) {
    if (node.type === NodeTypes.TEXT && WORD.test(node.content)) found.push(node.content.trim())
    if (node.type !== NodeTypes.ELEMENT) continue
    for (const prop of node.props) {
      if (prop.type !== NodeTypes.ATTRIBUTE || !READ.has(prop.name)) continue
      if (WORD.test(prop.value?.content ?? '')) found.push(`${prop.name}="${prop.value?.content}"`)
    }
    if (node.tag !== 'kbd') found.push(...literals(node.children))
  }
  return found
}

function written(view: string): string[] {
  return literals(parse(view).descriptor.template?.ast?.children ?? [])
}

test('no view has literal text', () => {
  expect(written('<template><p>已登记</p></template>')).toEqual(['已登记'])
  expect(written('<template><input placeholder="Name" /></template>')).toEqual(['placeholder="Name"'])
  expect(views.length).toBeGreaterThan(10)
  const found = views.flatMap(({ path, text }) => written(text).map((words) => `${path}: ${words}`))
  expect(found).toEqual([])
})

test('no view has Chinese outside its comments', () => {
  const code = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|<!--[\s\S]*?-->/g, '')
  const found = views.filter(({ text }) => /\p{Script=Han}/u.test(code(text))).map(({ path }) => path)
  expect(found).toEqual([])
})

test('only the host module reaches the program around the window', () => {
  const reaches = files
    .filter(({ text }) => /from '[^']*(?:@tauri-apps|bindings\/)|import\('[^']*@tauri-apps/.test(text))
    .filter(({ path, text }) => {
      // Types are erased; each side has one module that hands them on.
      const lines = text.match(/^(?:import|export)[\s\S]*?from '[^']*(?:@tauri-apps|bindings\/)[^']*'/gm) ?? []
      const typesOnly = lines.every((line) => /^(?:import|export) type/.test(line))
      return !(/^(?:shared|console|status)\/types\.ts$/.test(path) && typesOnly)
    })
    .map(({ path }) => path)
  expect(reaches).toEqual(['desk/host.ts'])
})

test('no entry loads a part of another, nor the shared modules either', () => {
  const into = (folder: string, other: string): string[] =>
    files
      .filter(({ path }) => path.startsWith(`${folder}/`))
      .filter(({ text }) => new RegExp(`from '(?:@/|(?:\\.\\./)+)${other}/`).test(text))
      .map(({ path }) => path)
  expect(into('console', 'desk')).toEqual([])
  expect(into('desk', 'console')).toEqual([])
  for (const other of ['desk', 'console']) expect(into('status', other)).toEqual([])
  for (const folder of ['desk', 'console', 'parts', 'shared']) expect(into(folder, 'status')).toEqual([])
  expect([...into('parts', 'desk'), ...into('shared', 'desk')]).toEqual([])
  expect([...into('parts', 'console'), ...into('shared', 'console')]).toEqual([])
})

test('what is kept on this machine is kept by the settings alone', () => {
  const kept = files.filter(({ text }) => /\b(?:localStorage|sessionStorage|indexedDB)\./.test(text))
  const allowed = (path: string): boolean => ['shared/settings.ts', 'status/kept.ts'].includes(path) || path.startsWith('console/')
  expect(kept.map(({ path }) => path).filter((path) => !allowed(path))).toEqual([])
})

test('only the module of shortcuts listens to the whole window', () => {
  const listening = files.filter(({ text }) => /(?:window|document)\.addEventListener\('key/.test(text))
  expect(listening.map(({ path }) => path)).toEqual(['shared/shortcuts.ts'])
})

test('no file is longer than 300 lines', () => {
  const long = files.filter(({ text }) => text.split('\n').length > 301).map(({ path }) => path)
  expect(long).toEqual([])
})
