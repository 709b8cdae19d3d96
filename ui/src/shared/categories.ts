// The category tree as pickers and labels need it. Codes are dotted paths.
import type { Category, CategoryTree } from './types'

// A type, not an interface: the picker wants an implicit index signature.
export type CategoryOption = {
  value: string
  label: string
  children?: CategoryOption[]
}

/** Nested options, in the tree's own order; a node whose parent is missing stands at the top. */
export function categoryOptions(
  tree: CategoryTree,
  named: (node: Category) => string,
): CategoryOption[] {
  const known = new Map<string, CategoryOption>()
  const top: CategoryOption[] = []
  for (const node of tree.nodes) {
    const option: CategoryOption = { value: node.code, label: named(node) }
    known.set(node.code, option)
    const parent = known.get(node.code.slice(0, Math.max(0, node.code.lastIndexOf('.'))))
    if (parent === undefined) top.push(option)
    else (parent.children ??= []).push(option)
  }
  return top
}

/** The names from the top down, for reading. */
export function categoryPath(
  tree: CategoryTree,
  code: string,
  named: (node: Category) => string,
): string {
  const parts = code.split('.')
  return parts
    .map((_, n) => tree.nodes.find((node) => node.code === parts.slice(0, n + 1).join('.')))
    .filter((node) => node !== undefined)
    .map(named)
    .join(' / ')
}
