// Everything that surrounds the screens: colours, texts, the store of answers, the address.
import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import type { i18n } from 'i18next';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { BrowserRouter } from 'react-router';
import { ApiError } from '../api/client.ts';
import { styleNonce } from '../ui/nonce.ts';
import { Notices } from '../ui/notice.tsx';
import { cssVariables, theme } from '../ui/theme.ts';
import {
    type Language, WordsContext, loadWords, rememberLanguage, wordsOf,
} from '../ui/words.ts';
import { Boundary } from './boundary.tsx';
import { Gate } from './gate.tsx';

const FRESH_MS = 10_000;
const RETRIES = 2;

function createQueries(): QueryClient {
    const client: QueryClient = new QueryClient({
        defaultOptions: {
            queries: {
                staleTime: FRESH_MS,
                retry: (count, error) =>
                    count < RETRIES && error instanceof ApiError
                    && (error.status === 0 || error.status === 503),
            },
        },
        queryCache: new QueryCache({
            onError: (error, query) => {
                const isDoor = query.queryKey[0] === 'session';
                if (error instanceof ApiError && error.status === 401 && !isDoor) {
                    void client.invalidateQueries({ queryKey: ['session'] });
                }
            },
        }),
    });
    return client;
}

export function Root({ first, language }: { first: i18n; language: Language }) {
    const [spoken, setSpoken] = useState({ texts: first, language });
    const [queries] = useState(createQueries);
    const setLanguage = useCallback((next: Language) => {
        void loadWords(next).then((texts) => {
            rememberLanguage(next);
            setSpoken({ texts, language: next });
        });
    }, []);
    const words = useMemo(
        () => wordsOf(spoken.texts, spoken.language, setLanguage), [spoken, setLanguage]);
    useEffect(() => {
        document.documentElement.lang = spoken.language;
    }, [spoken.language]);
    return (
        <MantineProvider
            theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto"
            getStyleNonce={styleNonce}
        >
            <WordsContext value={words}>
                <QueryClientProvider client={queries}>
                    <BrowserRouter>
                        <Notices>
                            <Boundary>
                                <Gate />
                            </Boundary>
                        </Notices>
                    </BrowserRouter>
                </QueryClientProvider>
            </WordsContext>
        </MantineProvider>
    );
}
