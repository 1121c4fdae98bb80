import { createRoot } from 'react-dom/client';
import './ui/mantine.css';
import './ui/global.css';
import { Root } from './app/root.tsx';
import { firstLanguage, loadWords } from './ui/words.ts';
import { shareNonce } from './ui/nonce.ts';

shareNonce();
const language = firstLanguage();
const place = document.getElementById('root');
if (place) {
    const first = await loadWords(language);
    createRoot(place).render(<Root first={first} language={language} />);
}
