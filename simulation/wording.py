"""What customers write: phrases whose wording carries the true sentiment, topic and intent."""

from __future__ import annotations

TOPICS = ("quality", "delivery", "price", "service", "returns")
INTENTS = ("praise", "report", "complain", "ask", "leave")
PRAISE, REPORT, COMPLAIN, ASK, LEAVE = range(len(INTENTS))
LEVELS = 5
"""Sentiment in five steps: very bad, bad, neutral, good, very good."""

OPENINGS = (
    ("Terrible experience.", "I am furious.", "Awful, simply awful."),
    ("I am disappointed.", "Not what I expected.", "Rather unhappy here."),
    ("A short note.", "Some remarks.", "It is okay."),
    ("I am pleased.", "Good experience.", "Happy with this one."),
    ("Absolutely wonderful!", "I am delighted.", "Excellent, I love it."),
)

SENTENCES = {
    "quality": (
        ("The {} broke on the first day and is useless.", "The {} is horrible rubbish."),
        ("The {} feels flimsy and has a defect.", "The {} is poor for what it should do."),
        ("The {} is average and does its job.", "The {} is what the page describes."),
        ("The {} is nice and works well.", "The {} is solid and good to use."),
        ("The {} is fantastic, the best I have owned.", "The {} is perfect and beautifully made."),
    ),
    "delivery": (
        ("The {} never arrived and nobody cares.", "The {} came weeks late and smashed."),
        ("The {} arrived late and the parcel was damaged.", "The {} was delayed, annoying."),
        ("The {} arrived on the date that was given.", "The {} came with the usual post."),
        ("The {} arrived quickly and well packed.", "The {} came early, nice."),
        ("The {} arrived the next morning, amazing!", "The {} came incredibly fast, superb."),
    ),
    "price": (
        ("The {} is a scam at this price.", "The {} is outrageously overpriced."),
        ("The {} is too expensive.", "The {} was cheaper elsewhere the next day, annoying."),
        ("The {} costs about the same as elsewhere.", "The {} has a usual price."),
        ("The {} is good value.", "The {} was a nice bargain."),
        ("The {} is unbeatable value, brilliant.", "The {} is an amazing deal."),
    ),
    "service": (
        ("Support about the {} was rude and hopeless.", "Nobody answered about the {}, disgrace."),
        ("Support about the {} was slow and unhelpful.", "I wait too long for word on the {}."),
        ("I asked support about the {} and got an answer.", "Support took note about the {}."),
        ("Support about the {} was friendly.", "I got good help with the {}."),
        ("Support about the {} was outstanding.", "Wonderful and kind help with the {}."),
    ),
    "returns": (
        ("You refuse my refund for the {}, theft.", "The return of the {} is a nightmare."),
        ("The refund for the {} is overdue.", "The return of the {} was complicated and slow."),
        ("I sent the {} back by post.", "The return of the {} took the usual time."),
        ("The return of the {} was easy.", "The refund for the {} was good and quick."),
        ("The return of the {} was perfectly smooth.", "Fantastic, the refund for the {} is here."),
    ),
}  # fmt: skip

CLOSINGS = (
    ("Thank you.", "I will come back.", "Recommended."),
    ("That is all.", "For your information.", "Just so you know."),
    ("Please fix this.", "I expect an answer.", "This has to change."),
    ("Can you tell me more?", "How does this work?", "When can I expect news?"),
    ("Please close my account.", "I am going to another shop.", "Cancel my membership."),
)


def split_sentences() -> tuple[list[str], list[str]]:
    """All topic sentences cut at the product name, ordered by topic, level and variant."""
    before, after = [], []
    for topic in TOPICS:
        for level in SENTENCES[topic]:
            for sentence in level:
                head, tail = sentence.split("{}")
                before.append(head)
                after.append(tail)
    return before, after
