"""Who stands behind a number: members who are forgotten, who are left out, and ids found again."""
