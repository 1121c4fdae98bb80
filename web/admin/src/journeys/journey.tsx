import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { useApi } from '../api/context.ts';
import { Card } from '../ui/card.tsx';
import { Page } from '../ui/page.tsx';
import { Bone, Failed, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { Editor } from './editor.tsx';

export default function JourneyScreen() {
    const t = useT();
    const api = useApi();
    const { id = 'new' } = useParams();
    const isNew = id === 'new';
    const isPhone = useMediaQuery('(max-width: 767px)', window.innerWidth < 768) ?? false;
    const journey = useQuery({
        queryKey: ['journeys', id], queryFn: ({ signal }) => api.journey(id, signal),
        enabled: !isNew,
    });
    if (!isNew && !journey.data) {
        return (
            <Page title={t('journeys.title')} screen={`journey ${id}`}>
                <Card>
                    {journey.isError
                        ? <Failed error={journey.error} onRetry={() => void journey.refetch()} />
                        : <Skeleton><Bone height={420} /></Skeleton>}
                </Card>
            </Page>
        );
    }
    return <Editor key={id} journey={journey.data ?? null} isPhone={isPhone} />;
}
