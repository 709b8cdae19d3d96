// The status page's entry: what a customer sees on a telephone. Small on
// purpose: no Element Plus, no router.
import { createApp } from 'vue'
import { beginInBrowserLanguage, keepSettings } from '@/shared/settings'
import { createTexts } from '@/shared/texts'
import { statusTexts } from '@/texts/status'
import './status.css'
import StatusRoot from './StatusRoot.vue'

beginInBrowserLanguage()
keepSettings()
const texts = await createTexts(statusTexts)
createApp(StatusRoot).use(texts).mount('#app')
