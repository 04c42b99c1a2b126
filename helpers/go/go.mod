module oauthspec

go 1.18
