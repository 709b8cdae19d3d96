// The flat category tree in the nested shape a cascader reads.
import type { Category } from '../../types'

export type Option = {
  value: string
  label: string
  children?: Option[]
}

/** Codes are dotted paths, parents before their children. */
export function nested(nodes: Category[], named: (node: Category) => string): Option[] {
  const byCode = new Map<string, Option>()
  const roots: Option[] = []
  for (const node of nodes) {
    const option: Option = { value: node.code, label: named(node) }
    byCode.set(node.code, option)
    const parent = byCode.get(node.code.slice(0, Math.max(0, node.code.lastIndexOf('.'))))
    if (parent) (parent.children ??= []).push(option)
    else roots.push(option)
  }
  return roots
}
