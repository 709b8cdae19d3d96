// The console's entry: what experts, departments, managers and administrators
// see in a browser.
import { createApp } from 'vue'
import { keepSettings } from '@/shared/settings'
import { createTexts } from '@/shared/texts'
import { consoleTexts } from '@/texts/console'
import 'element-plus/theme-chalk/dark/css-vars.css'
import '@/shared/theme.css'
import './console.css'
import ConsoleRoot from './ConsoleRoot.vue'
import { makeRouter } from './routes'

keepSettings()
const texts = await createTexts(consoleTexts)
createApp(ConsoleRoot).use(texts).use(makeRouter()).mount('#app')
