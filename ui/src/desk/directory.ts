// The category tree as the hub last sent it, shared by the screens.
import { ref, type Ref } from 'vue'
import type { CategoryTree } from '@/shared/types'
import { host } from './host'
import { useChanges } from './useChanges'

const tree = ref<CategoryTree>({ version: 0, nodes: [] })

export interface Directory {
  tree: Ref<CategoryTree>
  /** Asks the host; throws what it throws. */
  load(): Promise<void>
}

export function useDirectory(failed: (thrown: unknown) => void): Directory {
  const load = async (): Promise<void> => {
    tree.value = await host.categories()
  }
  useChanges(['directory'], () => void load().catch(failed))
  return { tree, load }
}
