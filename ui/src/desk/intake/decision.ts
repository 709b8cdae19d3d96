// What will be written with the form: the person's choice where there is one,
// else the suggestion, and whether the two differ so that a reason is needed.
import type { Complexity, Form, Grade, Suggestion } from '@/shared/types'

/** What the person has chosen; null follows the suggestion. */
export interface Choice {
  grade: Grade | null
  complexity: Complexity | null
}

export interface Decision {
  category: string
  grade: Grade | null
  complexity: Complexity | null
  differs: boolean
}

/** Grade 1 is always complex (product.md, "Words"). */
export function decide(form: Form, suggestion: Suggestion | null, choice: Choice): Decision {
  const category = form.category || suggestion?.category || ''
  const grade = choice.grade ?? suggestion?.grade ?? null
  const complexity =
    grade === 'one' ? 'complex' : (choice.complexity ?? suggestion?.complexity ?? null)
  const differs =
    suggestion !== null &&
    (grade !== suggestion.grade ||
      complexity !== suggestion.complexity ||
      (suggestion.category !== null && category !== suggestion.category))
  return { category, grade, complexity, differs }
}
